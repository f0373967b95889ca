exports.ping = () => fetch('https://api.vendor.example/v1/ping', { headers: { Authorization: `Bearer ${process.env.VENDOR_API_KEY}` } });
