"""Feeds: from the sockets of an exchange to records in order, with holes found and filled."""
