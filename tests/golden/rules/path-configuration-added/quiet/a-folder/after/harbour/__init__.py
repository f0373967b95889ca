def count(ships):
    return len(ships)
