"""What only the network knows, asked only when the user wishes it."""
