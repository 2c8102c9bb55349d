"""What becomes of quarantined rows: they are counted, replayed under the contract of today, or discarded."""
