"""The tables, one noun per file. Importing this package knows them all."""

from legacy_monolith.models.bag import Bag
from legacy_monolith.models.base import Base
from legacy_monolith.models.brand import Brand
from legacy_monolith.models.category import Category
from legacy_monolith.models.item import Item
from legacy_monolith.models.user import User

__all__ = ["Bag", "Base", "Brand", "Category", "Item", "User"]
