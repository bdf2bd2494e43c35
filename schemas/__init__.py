"""What messages, outcomes and configuration files are: contracts, and nothing that does I/O."""
