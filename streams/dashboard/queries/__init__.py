"""The page's questions to ClickHouse, one `.sql` file each."""
