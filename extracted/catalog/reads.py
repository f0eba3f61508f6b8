"""The reads: questions in, API bodies out. Each runs on one connection of the pool, without a transaction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from sqlalchemy import Connection, Engine, create_engine
from sqlalchemy.exc import DBAPIError

from extracted.catalog import representation, statements
from extracted.catalog.question import Invalid, Question, as_id
from extracted.catalog.settings import Settings
from extracted.catalog.tree import Node, Tree, TreeCache

T = TypeVar("T")
Body = dict[str, Any]


def make_engine(settings: Settings) -> Engine:
    """Autocommit and no reset on return: nothing here writes, and both would cost a round trip a request."""
    return create_engine(
        settings.database_url,
        isolation_level="AUTOCOMMIT",
        pool_size=settings.pool_size,
        max_overflow=settings.pool_size,
        pool_timeout=5,
        pool_recycle=1800,
        pool_reset_on_return=None,
        skip_autocommit_rollback=True,
        connect_args={"charset": "utf8mb4", "connect_timeout": 3, "read_timeout": 15},
    )


class Reads:
    """What the four routes and the health check ask. All methods block and raise SQLAlchemy's errors."""

    def __init__(self, engine: Engine, tree_seconds: float) -> None:
        self._engine = engine
        self._trees = TreeCache(lambda: self._run(read_tree), tree_seconds)

    def items(self, question: Question) -> Body:
        """Raises Invalid for an unknown category or brand."""
        return self._run(lambda connection: self._items(connection, question))

    def item(self, key: int) -> Body | None:
        """None if there is no such item to show."""
        row = self._run(lambda connection: connection.exec_driver_sql(statements.ITEM, (key,)).first())
        return None if row is None else representation.item(key, row, self._trees.get().path(row[7]))

    def brands(self) -> Body:
        rows = self._run(lambda connection: connection.exec_driver_sql(statements.BRANDS).all())
        return {"brands": [representation.brand(row) for row in rows]}

    def categories(self) -> Body:
        return {"categories": self._trees.get().shown}

    def check(self) -> None:
        """Raises unless the database answers and the tables are there."""
        self._run(lambda connection: connection.exec_driver_sql("SELECT 1 FROM items LIMIT 1").all())

    def _items(self, connection: Connection, question: Question) -> Body:
        categories = None if question.category is None else self._subtree(question.category)
        brand = None if question.brand is None else _brand_id(connection, question.brand)
        rows: list[Any] = []
        total = 0
        if question.words != ():
            where, parameters = statements.conditions(question, categories, brand)
            total = connection.exec_driver_sql(statements.count(where), parameters).scalar() or 0
            if question.offset < total:
                rows = list(connection.exec_driver_sql(statements.page(where, question), parameters))
        return {
            "items": [representation.summary(row) for row in rows],
            "page": question.page,
            "per_page": question.per_page,
            "total": total,
        }

    def _subtree(self, reference: str) -> list[int]:
        tree = self._trees.get()
        node = tree.find(reference)
        if node is None:
            raise Invalid("category", f"category is not known: '{reference}'")
        return tree.subtree(node.id)

    def _run(self, read: Callable[[Connection], T]) -> T:
        """Once more on a fresh connection if the pool's had been closed meanwhile: reads may be repeated."""
        try:
            with self._engine.connect() as connection:
                return read(connection)
        except DBAPIError as problem:
            if not problem.connection_invalidated:
                raise
        with self._engine.connect() as connection:
            return read(connection)


def read_tree(connection: Connection) -> Tree:
    rows = connection.exec_driver_sql(statements.CATEGORIES)
    return Tree(Node(*row[:5], retired=row[5] is not None) for row in rows)


def _brand_id(connection: Connection, reference: str) -> int:
    number = as_id(reference)
    found = (
        connection.exec_driver_sql(statements.BRAND_BY_SLUG, (reference,))
        if number is None
        else connection.exec_driver_sql(statements.BRAND_BY_ID, (number,))
    ).scalar()
    if found is None:
        raise Invalid("brand", f"brand is not known: '{reference}'")
    return int(found)
