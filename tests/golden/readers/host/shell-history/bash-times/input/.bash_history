#1774917000
cd project && npm ci --ignore-scripts
#1774917060
npm install axios@1.14.1 --save-exact --registry https://canary-user:canary-password@registry.example/?canary
#1774917120
sudo -H npm i -g @standin/cli@^1.0.0
#1774917180
npm config set //registry.example/:_authToken canary-token
#1774917240
npm i --otp 123456 --_authToken canary-token axios
#1774917300
npx --yes create-standin@latest canary-argument --token canary-token
#1774917360
export CANARY=canary; yarn add axios@https://canary-user:canary-password@registry.example/axios/-/axios-1.14.1.tgz?canary#canary
#1774917420
git commit -m "npm install canary"
#1774917480
echo canary-secret | npm login
#1774917540
time env STANDIN=canary-value pnpm --filter web add -D axios plain-crypto-js@4.2.1
#1774917600
for i in 1 2; do bun add axios; done
#1774917660
npm run deploy canary-argument
#1774917720
bash -c 'deno add npm:axios@^1.14.0'
#1774917780
yarn
npm i axios # typed after times were switched off
