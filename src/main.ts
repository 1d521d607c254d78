import process from 'node:process';
import { runService } from './service/run-service.ts';

await runService(process, process.env);
