"""How accepted rows reach the table: one module per mode of a target."""
