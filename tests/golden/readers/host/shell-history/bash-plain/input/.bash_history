cd project && npm ci --ignore-scripts
npm install axios@1.14.1 --save-exact --registry https://canary-user:canary-password@registry.example/?canary
sudo -H npm i -g @standin/cli@^1.0.0
npm config set //registry.example/:_authToken canary-token
npm i --otp 123456 --_authToken canary-token axios
npx --yes create-standin@latest canary-argument --token canary-token
export CANARY=canary; yarn add axios@https://canary-user:canary-password@registry.example/axios/-/axios-1.14.1.tgz?canary#canary
git commit -m "npm install canary"
echo canary-secret | npm login
time env STANDIN=canary-value pnpm --filter web add -D axios plain-crypto-js@4.2.1
for i in 1 2; do bun add axios; done
npm run deploy canary-argument
bash -c 'deno add npm:axios@^1.14.0'
yarn
npm install \
  axios@1.14.1 \
  --save-dev
