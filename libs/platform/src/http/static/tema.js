// @ts-check
// Light or dark, as the system is. It runs before the page is drawn, so that nobody is dazzled.
const dark = matchMedia('(prefers-color-scheme: dark)');
const follow = () => document.documentElement.classList.toggle('dark', dark.matches);
follow();
dark.addEventListener('change', follow);
