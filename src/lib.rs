//! XBoard.
