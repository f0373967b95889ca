// Inert. Removes the script that did it.
require("fs").unlinkSync(__filename);
