//! The local zone, and further layouts of Go's for a moment.

use std::ffi::CStr;

use nix::libc;

use super::Time;
use super::time::{civil, date, rfc3339};

impl Time {
    /// A moment of UTC.
    pub fn utc(secs: i64, nanos: u32) -> Time {
        Time { secs, nanos, offset: 0, zone: None }
    }

    /// A moment in the caller's own zone: `TZ`, or the machine's.
    pub fn local(secs: i64, nanos: u32) -> Time {
        if !super::time::zone_is_known() {
            return Time::utc(secs, nanos);
        }
        // SAFETY: tm is plain data that localtime_r fills; its zone is a C string that lives as long as the process.
        let (offset, zone) = unsafe {
            let mut tm: libc::tm = std::mem::zeroed();
            if libc::localtime_r(&secs, &mut tm).is_null() || tm.tm_zone.is_null() {
                return Time::utc(secs, nanos);
            }
            (tm.tm_gmtoff, CStr::from_ptr(tm.tm_zone).to_string_lossy().into_owned())
        };
        let zone = Some(zone).filter(|zone| offset != 0 || zone != "UTC");
        Time { secs, nanos, offset: i32::try_from(offset).unwrap_or(0), zone }
    }

    /// Go's `time.RFC3339Nano`.
    pub fn rfc3339(&self) -> String {
        rfc3339(self)
    }

    /// The same with all nine digits of the fraction.
    pub fn rfc3339_fixed(&self) -> String {
        let whole = rfc3339(&Time { nanos: 0, ..self.clone() });
        let (civil, zone) = whole.split_at(19);
        format!("{civil}.{:09}{zone}", self.nanos)
    }

    /// Go's `time.ANSIC`: `Mon Jan _2 15:04:05 2006`.
    pub fn ansic(&self) -> String {
        const DAYS: [&str; 7] = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"];
        const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];
        let days = (self.secs + i64::from(self.offset)).div_euclid(86_400);
        let (year, month, day) = date(days);
        let name = |names: &[&'static str], at: i64| usize::try_from(at).ok().and_then(|at| names.get(at).copied()).unwrap_or_default();
        let clock = civil(&Time { nanos: 0, ..self.clone() }, ' ').split_off(11);
        format!("{} {} {day:>2} {clock} {year:04}", name(&DAYS, days.rem_euclid(7)), name(&MONTHS, month - 1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn layouts() {
        let time = Time { secs: 1_766_335_321, nanos: 50, offset: 3600, zone: Some("CET".into()) };
        assert_eq!(time.rfc3339_fixed(), "2025-12-21T17:42:01.000000050+01:00");
        assert_eq!(Time::utc(1_766_335_321, 0).rfc3339_fixed(), "2025-12-21T16:42:01.000000000Z");
        assert_eq!(Time::utc(0, 5).ansic(), "Thu Jan  1 00:00:00 1970");
        assert_eq!(Time::utc(1_791_764_364, 0).ansic(), "Mon Oct 12 00:19:24 2026");
    }
}
