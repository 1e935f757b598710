// Signing in by a code that comes by e-mail; one's name; signing out.

import { initials, trouble } from './words.js';

const $ = (id) => document.getElementById(id);

/** Let a form do its work once at a time, and say below it what went wrong. */
function onSubmit(form, problem, work) {
  form.addEventListener('submit', async (event) => {
    event.preventDefault();
    const button = form.querySelector('button.primary');
    if (button.ariaDisabled === 'true') return;
    button.ariaDisabled = 'true';
    problem.textContent = '';
    try {
      await work();
    } catch (error) {
      problem.textContent = trouble(error);
    } finally {
      button.ariaDisabled = 'false';
    }
  });
}

export function bindSignIn(circle27) {
  const [ask, give, problem] = [$('ask-code'), $('give-code'), $('sign-in-problem')];
  const step = (second) => {
    ask.hidden = second;
    give.hidden = !second;
    (second ? $('code') : $('email')).focus();
  };
  onSubmit(ask, problem, async () => {
    const { email } = await circle27.requestCode($('email').value);
    $('sent-to').textContent = email;
    $('code').value = '';
    step(true);
  });
  onSubmit(give, problem, async () => {
    await circle27.verifyCode($('sent-to').textContent, $('code').value.replaceAll(' ', ''));
    step(false);
    $('email').value = '';
  });
  $('other-address').addEventListener('click', () => { problem.textContent = ''; step(false); });
}

/** The button in the corner, with the member's initials, and the dialog behind it. */
export async function bindAccount(circle27, corner) {
  const [dialog, form, problem] = [$('account'), $('account').querySelector('form'), $('account-problem')];
  const show = ({ displayName, tier, circleMail }) => {
    corner.firstElementChild.textContent = initials(displayName);
    corner.lastElementChild.textContent = `${displayName}, your account`;
    $('name').value = displayName;
    $('circle-mail').checked = circleMail;
    $('to-operator').hidden = tier !== 'operator';
  };
  if (!corner.onclick) {
    corner.onclick = () => { problem.textContent = ''; dialog.showModal(); };
    $('account-cancel').addEventListener('click', () => dialog.close());
    $('sign-out').addEventListener('click', async () => {
      dialog.close();
      await circle27.signOut().catch(() => {});
    });
    circle27.addEventListener('profile', ({ detail }) => show(detail));
    onSubmit(form, problem, async () => {
      show(await circle27.call('update_profile', {
        p_display_name: $('name').value, p_circle_mail: $('circle-mail').checked,
      }));
      dialog.close();
    });
  }
  show(await circle27.call('my_profile', {}, { method: 'GET' }));
}
