!function(e,t){for(var n=0,r=0;r<t.length;r++)n+=e(t[r]);return n}(function(e){return e+1},[1,2,3]);
