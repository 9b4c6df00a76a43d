"""What a live process tells of itself: metrics, health, and the pages that show them."""
