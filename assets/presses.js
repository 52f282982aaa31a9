/* Buttons of rows tell a store of their page which of them was pressed. As inputs of a callback they would be asked for anew
   whenever their rows are drawn anew, and Dash throws away the answer to a press that is under way then: it would be lost. */
(function () {
  "use strict";
  let times = 0;

  /* The id that Dash writes into the page for one of many. */
  function id_of(element) {
    try {
      return JSON.parse(element.id);
    } catch (_) {
      return null;
    }
  }

  /* Dash throws at the name of what is not there. */
  function stands(store) {
    try {
      return Boolean(window.dash_component_api.getLayout(store));
    } catch (_) {
      return false;
    }
  }

  document.addEventListener("click", function (event) {
    const pressed = event.target.closest && event.target.closest("[id^='{']");
    const id = pressed && id_of(pressed);
    if (!id || typeof id.type !== "string" || !stands("pressed-" + id.type)) return;
    times += 1;
    // Counted, so that the same pressed once more is something new.
    window.dash_clientside.set_props("pressed-" + id.type, { data: Object.assign({}, id, { times: times }) });
  });
})();
