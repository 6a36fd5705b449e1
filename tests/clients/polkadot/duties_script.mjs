// What a validator's operator does with @polkadot/api: stakes, session keys, batches, proxies,
// accounts of several keys. The node whose WebSocket URL is given seals with each extrinsic.
//
// Prints one JSON document of what the client understood.

import process from 'node:process';

import { ApiPromise, Keyring, WsProvider } from '@polkadot/api';
import { u8aToHex } from '@polkadot/util';
import { createKeyMulti, encodeAddress, sortAddresses } from '@polkadot/util-crypto';

const FML = 10n ** 18n;
const key = (uri) => new Keyring({ type: 'sr25519', ss58Format: 42 }).addFromUri(uri);
const [alice, bob, charlie] = ['//Alice', '//Bob', '//Charlie'].map(key);

// Send an extrinsic and wait for its block: its events, and its error by name.
async function send(api, extrinsic, signer) {
  const result = await new Promise((resolve, reject) => {
    extrinsic
      .signAndSend(signer, (update) => {
        if (update.status.isInBlock || update.status.isFinalized) resolve(update);
        if (update.isError) reject(new Error(`the extrinsic ended as ${update.status.type}`));
      })
      .catch(reject);
  });
  const failed = result.dispatchError?.isModule
    ? api.registry.findMetaError(result.dispatchError.asModule).name
    : result.dispatchError?.toString();
  return {
    error: failed ?? null,
    events: result.events.map(({ event }) => `${event.section}.${event.method}`),
    data: result.events.map(({ event }) => event),
  };
}

const named = ({ error, events }) => ({ error, events });

async function sessionKeys(api, provider, owner) {
  const keys = await api.rpc.author.rotateKeys();
  const made = await provider.send('author_rotateKeysWithOwner', [u8aToHex(owner.publicKey)]);
  const babe = made.keys.slice(0, 66);
  const found = {
    length: keys.length,
    hasRotated: (await api.rpc.author.hasSessionKeys(keys)).isTrue,
    hasForOwner: (await api.rpc.author.hasSessionKeys(made.keys)).isTrue,
    hasBabe: (await api.rpc.author.hasKey(babe, 'babe')).isTrue,
    hasBabeAsGran: (await api.rpc.author.hasKey(babe, 'gran')).isTrue,
  };
  const inserted = new Keyring({ type: 'ed25519' }).addFromUri('//Inserted').publicKey;
  await api.rpc.author.insertKey('gran', '//Inserted', u8aToHex(inserted));
  found.hasInserted = (await api.rpc.author.hasKey(u8aToHex(inserted), 'gran')).isTrue;
  found.unproven = named(await send(api, api.tx.session.setKeys(keys, made.proof), owner));
  found.set = named(await send(api, api.tx.session.setKeys(made.keys, made.proof), owner));
  const stored = await api.query.session.nextKeys(owner.address);
  found.isStored = stored.toHex().endsWith(made.keys.slice(2));
  return found;
}

async function staking(api, who, nominator) {
  const bonds = await send(api, api.tx.staking.bond(60_000n * FML), who);
  const found = { bonded: named(bonds) };
  found.unkeyed = named(await send(api, api.tx.staking.validate({ commission: 25_000_000 }), who));
  return {
    found,
    finish: async () => {
      const prefs = { commission: 25_000_000 };
      found.validates = named(await send(api, api.tx.staking.validate(prefs), who));
      found.backed = named(await send(api, api.tx.staking.bond(500n * FML), nominator));
      found.nominates = named(await send(api, api.tx.staking.nominate([who.address]), nominator));
      await send(api, api.tx.staking.unbond(10n * FML), nominator);
      const ledger = (await api.query.staking.ledger(nominator.address)).unwrap();
      found.active = ledger.active.toString();
      found.unlocking = ledger.unlocking.map(({ value }) => value.toString());
      const kept = await api.query.staking.validators(who.address);
      found.prefs = kept.toJSON();
      found.tooEarly = named(await send(api, api.tx.staking.withdrawUnbonded(), nominator));
      found.chilled = named(await send(api, api.tx.staking.chill(), who));
      return found;
    },
  };
}

async function batches(api, who, dest) {
  const pay = (amount) => api.tx.balances.transferKeepAlive(dest.address, amount);
  const tooMuch = pay(10n ** 30n);
  const stopped = await send(api, api.tx.utility.batch([pay(FML), tooMuch]), who);
  const [index] = stopped.data.find(({ method }) => method === 'BatchInterrupted').data;
  return {
    all: named(await send(api, api.tx.utility.batchAll([pay(FML), pay(FML)]), who)),
    none: named(await send(api, api.tx.utility.batchAll([pay(FML), tooMuch]), who)),
    stopped: { ...named(stopped), index: index.toNumber() },
    forced: named(await send(api, api.tx.utility.forceBatch([tooMuch, pay(FML)]), who)),
    derived: named(await send(api, api.tx.utility.asDerivative(0, pay(FML)), who)),
  };
}

async function proxies(api, real, proxy, dest) {
  const pay = api.tx.balances.transferKeepAlive(dest.address, FML);
  const bond = api.tx.staking.bondExtra(FML);
  const found = {
    added: named(await send(api, api.tx.proxy.addProxy(proxy.address, 'Staking', 0), real)),
  };
  const [definitions] = await api.query.proxy.proxies(real.address);
  found.definitions = definitions.map((each) => each.proxyType.toString());
  const acts = async (call) => {
    const sent = await send(api, api.tx.proxy.proxy(real.address, null, call), proxy);
    const [result] = sent.data.find(({ method }) => method === 'ProxyExecuted').data;
    return { ...named(sent), isOk: result.isOk };
  };
  found.within = await acts(bond);
  found.outside = await acts(pay);
  const pure = await send(api, api.tx.proxy.createPure('Any', 0, 0), real);
  const [account] = pure.data.find(({ method }) => method === 'PureCreated').data;
  await send(api, api.tx.balances.transferKeepAlive(account.toString(), 5n * FML), real);
  const through = api.tx.proxy.proxy(account.toString(), null, pay);
  found.pure = named(await send(api, through, real));
  found.removed = named(await send(api, api.tx.proxy.removeProxies(), real));
  found.refused = named(await send(api, api.tx.proxy.proxy(real.address, null, bond), proxy));
  return found;
}

async function together(api, first, second, dest) {
  const all = [first.address, second.address, dest.address];
  const account = encodeAddress(createKeyMulti(all, 2), 42);
  const others = (who) => sortAddresses(all.filter((each) => each !== who.address), 42);
  await send(api, api.tx.balances.transferKeepAlive(account, 5n * FML), first);
  const call = api.tx.balances.transferKeepAlive(dest.address, 2n * FML);
  const { weight } = await call.paymentInfo(first);
  const open = api.tx.multisig.asMulti(2, others(first), null, call, weight);
  const opened = await send(api, open, first);
  const operation = (await api.query.multisig.multisigs(account, call.method.hash)).unwrap();
  const approve = api.tx.multisig.asMulti(2, others(second), operation.when, call, weight);
  const executed = await send(api, approve, second);
  const held = await api.query.multisig.multisigs(account, call.method.hash);
  return {
    account,
    signatories: all,
    opened: named(opened),
    approvals: operation.approvals.map((each) => each.toString()),
    executed: named(executed),
    isClosed: held.isNone,
  };
}

async function main(url) {
  const provider = new WsProvider(url);
  const api = await ApiPromise.create({ provider, throwOnConnect: true });
  const stakes = await staking(api, alice, bob);
  const found = { sessionKeys: await sessionKeys(api, provider, alice) };
  found.staking = await stakes.finish();
  const before = (await api.query.system.account(charlie.address)).data.free.toBigInt();
  found.batches = await batches(api, alice, charlie);
  found.proxies = await proxies(api, alice, bob, charlie);
  found.together = await together(api, alice, bob, charlie);
  const after = (await api.query.system.account(charlie.address)).data.free.toBigInt();
  found.received = (after - before).toString();
  await api.disconnect();
  return found;
}

// The library logs to the console; the last line on standard output is the answer.
process.stdout.write(`${JSON.stringify(await main(process.argv[2]))}\n`, () => process.exit(0));
