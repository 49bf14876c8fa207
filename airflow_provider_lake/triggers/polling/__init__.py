"""One poller per connection for all waits of a triggerer."""
