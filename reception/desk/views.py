"""Pages of the desk, one module for each thing a person does there."""

from reception.desk import book_views, intake_views, post_views, queue_views
from reception.desk.blueprint import bp

__all__ = ["book_views", "bp", "intake_views", "post_views", "queue_views"]
