"""Web APIs, read page by page and landed before anything is judged."""
