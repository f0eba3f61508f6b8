"""Store credit: a balance with the user, and the bookings that explain it."""
