"""What capabilities run on. Providers know the core's port and nothing of bindings or stores."""
