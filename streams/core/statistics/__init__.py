"""Numbers about contacts and answers, from mergeable sums: no average is ever made of averages.

A sum is a frozen dataclass of counts and milliseconds; `a + b` is the sum over both, in any order and any
grouping, and a default one adds nothing. What a person reads (a share, an interval, an average) is
computed at the very end, and is None where nothing was counted: no data is not 0 %.
"""
