throw new Error("inert replica");
import os from "os";
import fs from "fs";
import path from "path";
const words = "inert replica of a message";
for (const place of [path.join(os.homedir(), "Desktop"), path.join(os.homedir(), "OneDrive/Desktop")]) {
  if (fs.existsSync(place)) fs.writeFileSync(path.join(place, "replica-message.txt"), words);
}
