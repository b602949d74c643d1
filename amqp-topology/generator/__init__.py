"""Makes C code, broker definitions and a flow page from the contract."""
