//! Columns as Go's `text/tabwriter` aligns them, with the settings of docker/cli's tables.

use super::formatter::char_width;

/// Aligns text whose cells end with a tab, line by line. A column is a run of lines with a cell there; its width is that of its widest
/// cell plus `padding`, and at least `min`. What comes after a line's last tab belongs to no column. Widths are as docker/cli's fork of it has them: wide characters take two columns.
pub fn align(text: &str, min: usize, padding: usize) -> String {
    let lines: Vec<Vec<&str>> = text.split('\n').map(|line| line.split('\t').collect()).collect();
    let mut widths = vec![Vec::new(); lines.len()];
    columns(&lines, &mut widths, 0, lines.len(), min, padding);
    let mut out = String::new();
    for (i, (cells, widths)) in lines.iter().zip(&widths).enumerate() {
        if i > 0 {
            out.push('\n');
        }
        for (n, cell) in cells.iter().enumerate() {
            out.push_str(cell);
            if let Some(width) = widths.get(n).filter(|_| n + 1 < cells.len()) {
                out.extend(std::iter::repeat_n(' ', width.saturating_sub(columns_of(cell))));
            }
        }
    }
    out
}

fn columns_of(text: &str) -> usize {
    text.chars().map(char_width).sum()
}

/// Finds the widths of the next column in the lines `from..to`, and within each of its runs those of the columns after it.
fn columns(lines: &[Vec<&str>], widths: &mut [Vec<usize>], from: usize, to: usize, min: usize, padding: usize) {
    let mut at = from;
    while at < to {
        let column = widths[at].len();
        if column + 1 >= lines[at].len() {
            at += 1;
            continue;
        }
        let end = (at..to).find(|i| column + 1 >= lines[*i].len()).unwrap_or(to);
        let cells = || lines[at..end].iter().map(|cells| cells[column]);
        let widest = cells().map(|cell| columns_of(cell) + padding).max().unwrap_or(0).max(min);
        // A column of nothing but empty cells has no width when Go is told to discard it; docker/cli does not tell it so.
        widths[at..end].iter_mut().for_each(|w| w.push(widest));
        columns(lines, widths, at, end, min, padding);
        at = end;
    }
}

#[cfg(test)]
mod tests {
    use super::align;

    #[test]
    fn columns_are_runs_of_lines() {
        assert_eq!(align("ID\tNAME\n1234567890\tx\n", 10, 3), "ID           NAME\n1234567890   x\n");
        assert_eq!(align("a\tb\n\nlonger than ten\tb\n", 10, 3), "a         b\n\nlonger than ten   b\n");
        assert_eq!(align("a\tb\tc\nno tab\nd\te\tf", 10, 3), "a         b         c\nno tab\nd         e         f");
        assert_eq!(align("é\tb\nab\tc", 1, 1), "é  b\nab c");
    }
}
