//! The stages in the order in which they run.

pub mod prepare;

pub mod categorize;

pub mod series;
