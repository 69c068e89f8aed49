"""Adapters of the store port (`migd.core.ports`); the contract tests say what each must do."""
