//! Pure analysis: the chain of stages from raw transactions to results.
