//! Docker's output: the values it is made of, and Go's templates over them.

pub mod template;
pub mod value;
