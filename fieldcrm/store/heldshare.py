"""How much of our range each store holds: of our products counted there, those present or out of stock, each by its
last count. The base is that of "distribution held": a product never counted at a store says nothing about it."""

from __future__ import annotations

JOIN = """LEFT JOIN (
  SELECT outlet_id, sum(state <> 'absent') * 100 / count(*) AS share FROM (
    SELECT coalesce(a.outlet_id, s.outlet_id) AS outlet_id, s.state,
      row_number() OVER (PARTITION BY coalesce(a.outlet_id, s.outlet_id), s.product_id
        ORDER BY s.observed_at DESC, s.submission_id DESC) AS turn
    FROM observation s JOIN product p ON p.id = s.product_id AND p.own = 1
    LEFT JOIN outlet_home a ON a.alias_id = s.outlet_id
    WHERE s.current = 1
  ) WHERE turn = 1 GROUP BY outlet_id) h ON h.outlet_id = o.id"""

# Classes of the share, from all to few.
CLASS = """CASE WHEN h.share IS NULL THEN 'never' WHEN h.share = 100 THEN 'all' WHEN h.share >= 75 THEN 'most'
  WHEN h.share >= 50 THEN 'half' ELSE 'few' END"""
