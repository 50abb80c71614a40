//! Stands in for libgcc's unwinder where the program is linked dynamically: one that aborts on panic has no use for it, and loading
//! `libgcc_s` would be a tenth of the way to `execve`. Only the standard library's backtraces call it, and they end at once.

use std::ffi::{c_int, c_void};

/// `_URC_END_OF_STACK` of the Itanium C++ ABI.
const END_OF_STACK: c_int = 5;

#[unsafe(no_mangle)]
extern "C" fn _Unwind_Backtrace(_: *const c_void, _: *mut c_void) -> c_int {
    END_OF_STACK
}

/// Functions that ask about a stack frame: there is none.
macro_rules! nothing {
    ($($name:ident)*) => {
        $(#[unsafe(no_mangle)]
        extern "C" fn $name(_: *mut c_void, _: *mut c_void, _: *mut c_void) -> usize {
            0
        })*
    };
}

nothing! {
    _Unwind_FindEnclosingFunction _Unwind_GetCFA _Unwind_GetDataRelBase _Unwind_GetIP _Unwind_GetIPInfo
    _Unwind_GetLanguageSpecificData _Unwind_GetRegionStart _Unwind_GetTextRelBase _Unwind_SetGR _Unwind_SetIP
}

/// Nothing is ever thrown, so there is nothing to go on with.
#[unsafe(no_mangle)]
extern "C" fn _Unwind_Resume(_: *mut c_void) -> ! {
    std::process::abort()
}
