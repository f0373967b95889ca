from humanfriendly import numbers  # noqa
