export default mountingModule("cards.js", (root) => {
  const words = root.querySelector(".trouble");
  words.textContent = "The moments could not be drawn; reload the page.";
  words.hidden = false;
});
