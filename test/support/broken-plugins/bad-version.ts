import sound from './sound.ts';

export default { ...sound, version: 'latest' };
