console.log(Buffer.from("aGFyYm91ciBjb3VudHMgc2hpcHM=", "base64").toString());
