from tintinal import is_color

is_color()
