/** Loaded before the service's own code in a child process: NODE_OPTIONS=--import. */
import process from 'node:process';
import { redirectHosts } from './redirect-hosts.ts';

redirectHosts(JSON.parse(process.env.STAND_IN_HOSTS ?? '{}'));
