import sound from './sound.ts';

export default { ...sound, name: 'future', contract: '2.0' };
