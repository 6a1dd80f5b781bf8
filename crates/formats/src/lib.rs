//! Upload JSON and corpus files to domain values, with findings.
