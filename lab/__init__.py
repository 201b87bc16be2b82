"""The lab: a complete reference Async Sidecar of real processes on one machine, with seeded defects. See lab/README.md."""
