throw new Error("inert example");
