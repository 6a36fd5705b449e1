"""Proxy: keys that act for an account, within limits; see `pallet`.

Source: Substrate `pallet_proxy`.
"""

from runtime.pallets.proxy.pallet import Config, Proxy

__all__ = ["Config", "Proxy"]
