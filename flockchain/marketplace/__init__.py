"""Models that are served for pay: OpenAI's API in front, vouchers behind, the caller's gateway.

Owns nothing of its own. Invariant: what is served for pay is covered by a voucher on disk.
Source: WP II.C, II.D.6, III.B.2.
"""
