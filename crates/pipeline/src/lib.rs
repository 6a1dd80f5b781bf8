//! One analysis job: load, analyse, save, emit.
