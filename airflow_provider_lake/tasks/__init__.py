"""What operators, sensors and triggers share: jobs, asset events, lineage, and the state of earlier tries."""
