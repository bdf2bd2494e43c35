"""The pure core: state and event in, state and effects out; time is an argument."""
